"""The pages shoppers meet: kiosk, QR survey, feedback book, mystery visit."""

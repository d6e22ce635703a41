"""Deadlines worked out by hand with a calendar on the table, from the holidays as published.

Belarus, off beside weekends. 2025: 1, 2, 6 (for 11.1.), 7 January, 28 (for 26.4.) and 29 April (Radunitsa), 1 and
9 May, 3 and 4 (for 12.7.) July, 7 November, 25 and 26 (for 20.12.) December; worked: Saturdays 11.1., 26.4., 12.7.,
20.12.
2026: 1, 2, 7 January, 20 (for 25.4.) and 21 April (Radunitsa), 1 May, 3 July, 25 December; worked: Saturday 25.4.
2027: 1, 7 January, 8 March, 11 May (Radunitsa).
Russia, off beside weekends. 2025: 1 to 8 January, 1, 2, 8, 9 May, 12, 13 June, 3, 4 November, 31 December; worked:
Saturday 1.11. 2026: 1 to 9 January, 23 February, 9 March, 1 and 11 May, 12 June, 4 November, 31 December.
2027: 1 to 8 January, 22 and 23 February, 8 March, 3 and 10 May; worked: Saturday 20.2.
"""

from __future__ import annotations

# Country, received on, days, unit, last day.
TERMS = """
BY 2026-03-02 15 calendar 2026-03-17  a Monday, and a Tuesday fifteen days on
BY 2026-03-01 15 calendar 2026-03-16  received on a Sunday: the term begins on Monday all the same
BY 2026-12-25 15 calendar 2027-01-09  over the year's end; the last day is a Saturday
BY 2028-02-20 15 calendar 2028-03-06  a leap year: nine days of February left
BY 2027-02-20 15 calendar 2027-03-07  no leap year: eight days left
BY 2028-02-14 15 calendar 2028-02-29  the leap day is the last day
BY 2025-12-31 15 calendar 2026-01-15
RU 2026-02-20 10 calendar 2026-03-02  a claim
RU 2028-02-20 10 calendar 2028-03-01  a claim over the leap day
RU 2025-12-25 10 calendar 2026-01-04  a claim that ends in the New Year holidays
RU 2026-04-29 10 calendar 2026-05-09  a claim that ends on Victory Day
BY 2026-01-31 1 month 2026-02-28      no 31st: the month's last day
BY 2028-01-31 1 month 2028-02-29      the same in a leap year
BY 2026-03-31 1 month 2026-04-30
BY 2026-12-15 1 month 2027-01-15      over the year's end
BY 2026-02-28 1 month 2026-03-28
BY 2026-03-02 5 working 2026-03-09    Women's Day is a Sunday and is not moved in Belarus
BY 2026-03-06 5 working 2026-03-13    received on a Friday
BY 2026-03-07 5 working 2026-03-13    received on a Saturday: Monday is the first day
BY 2026-04-15 5 working 2026-04-24    16, 17, 22, 23, 24: Monday off for Saturday 25, Radunitsa on the 21st
BY 2026-04-20 5 working 2026-04-27    22, 23, 24, Saturday 25 is worked, 27
BY 2026-04-24 1 working 2026-04-25    a Saturday that a decree made a working day
BY 2025-04-24 5 working 2025-05-05    25, Saturday 26, 30 April, 2 and 5 May
BY 2025-04-30 5 working 2025-05-08    2, 5, 6, 7, 8
BY 2025-07-02 5 working 2025-07-11    7 to 11: the 3rd is the republic's day, the 4th is off for the 12th
BY 2025-07-10 2 working 2025-07-12    Saturday 12 is worked
BY 2025-12-18 5 working 2025-12-24    19, Saturday 20, 22, 23, 24
BY 2025-12-24 5 working 2026-01-06    29, 30, 31, 5, 6: 1 and 2 January are off
BY 2026-12-30 5 working 2027-01-08    31, 4, 5, 6, 8: Christmas on the 7th
BY 2027-03-05 1 working 2027-03-09    Women's Day on a Monday
BY 2027-05-07 2 working 2027-05-12    10 and 12: Radunitsa on the 11th
BY 2025-01-03 3 working 2025-01-10    8, 9, 10
BY 2025-01-09 2 working 2025-01-11    Saturday 11 is worked for Monday 6
BY 2025-11-06 1 working 2025-11-10    7 November
RU 2026-02-19 5 working 2026-02-27    20, 24, 25, 26, 27
RU 2026-03-05 5 working 2026-03-13    6, 10 to 13: Monday 9 for Sunday 8
RU 2026-04-29 5 working 2026-05-07    30, 4, 5, 6, 7
RU 2026-05-08 1 working 2026-05-12    Monday 11 for Saturday 9
RU 2026-06-10 2 working 2026-06-15    11 and 15: Russia's day on Friday
RU 2026-11-02 5 working 2026-11-10    3, 5, 6, 9, 10
RU 2026-12-28 5 working 2027-01-13    29, 30, 11, 12, 13: 31 December is off
RU 2025-12-29 5 working 2026-01-15    30, 12 to 15: 31 December and 1 to 9 January are off
RU 2025-12-30 1 working 2026-01-12
RU 2025-10-31 1 working 2025-11-01    Saturday 1 is worked for Monday 3
RU 2025-10-31 2 working 2025-11-05
RU 2025-04-30 5 working 2025-05-13    5, 6, 7, 12, 13: 1, 2, 8 and 9 May are off
RU 2025-06-11 1 working 2025-06-16
RU 2027-02-18 3 working 2027-02-24    19, Saturday 20 is worked, 24
RU 2027-04-30 5 working 2027-05-11    4, 5, 6, 7, 11
KZ 2026-03-06 5 working 2026-03-13    a country whose holidays we do not know: weekends alone
"""

# Country, received on, days, unit, last day where the chain lets it move to a working day.
MOVED = """
BY 2026-12-25 15 calendar 2027-01-11  Saturday 9 to Monday
BY 2026-12-23 15 calendar 2027-01-08  Christmas on the 7th
RU 2025-12-25 10 calendar 2026-01-12  4 January to the first day after the holidays
RU 2026-04-29 10 calendar 2026-05-12  Saturday 9 May, and Monday 11 is off for it
BY 2026-04-10 15 calendar 2026-04-25  a Saturday on which people work
BY 2026-03-02 15 calendar 2026-03-17  a working day stays
BY 2026-01-31 1 month 2026-03-02      Saturday 28 February
RU 2026-04-29 5 working 2026-05-07    working days never need it
"""

# Country, deadline, working days before, the day on which the director is told.
WARNINGS = """
BY 2026-03-17 2 2026-03-13            Tuesday: Monday, Friday
BY 2026-04-22 2 2026-04-16            20 and 21 are off
BY 2026-04-27 2 2026-04-24            Saturday 25 is worked
RU 2026-01-13 2 2025-12-30            12 January, and 30 December before the holidays
RU 2026-03-02 2 2026-02-26
BY 2027-01-09 2 2027-01-06            the deadline is a Saturday: Friday 8, and Christmas on the 7th
BY 2026-03-17 0 2026-03-17
"""

# Time zone, the moment in UTC, the date of the receipt in the store.
RECEIPTS = """
Europe/Minsk     2026-03-01T20:59:00 2026-03-01  23:59
Europe/Minsk     2026-03-01T21:01:00 2026-03-02  00:01
Asia/Vladivostok 2026-03-01T13:59:00 2026-03-01  23:59
Asia/Vladivostok 2026-03-01T14:01:00 2026-03-02  00:01
Asia/Vladivostok 2026-12-31T13:59:00 2026-12-31  23:59 on New Year's Eve
Asia/Vladivostok 2026-12-31T14:01:00 2027-01-01  00:01 of the new year
Europe/Minsk     2025-12-31T21:01:00 2026-01-01  00:01 of the new year
Europe/Minsk     2028-02-28T21:01:00 2028-02-29  00:01 of the leap day
"""


def rows(table: str, columns: int) -> list[list[str]]:
    """Return the rows of a table without their remarks."""
    return [line.split(maxsplit=columns)[:columns] for line in table.strip().splitlines()]

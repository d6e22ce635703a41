"""Forms of people: WTForms classes built from the definitions of the domain, and the words for what is wrong."""

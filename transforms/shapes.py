"""What numbers of persons, phones and e-mails look like, as parts of expressions without groups. Whoever looks for them
adds what may stand before and behind: one text is another place than a file full of amounts, codes and digests."""

_DAY = r"(?:[04][1-9]|[1256]\d|[37][01])"  # 40 is added to a woman's
_MONTH = r"(?:0[1-9]|1[0-2])"
_YEAR = r"(?:19|20)\d\d"
_PROVINCE = r"(?:1[1-9]|21|3[1-6]|5[1-3]|6[1-5]|7[1-6]|8[12]|9[1-7])"

# In groups of four never with dashes, as UUIDs and numbers of contracts are. Years in a row hold no date of birth.
_NIK = (
    rf"{_PROVINCE}\d\d[ .]\d\d{_DAY}[ .]{_MONTH}\d\d[ .]\d{{4}}",
    rf"{_PROVINCE}\d{{4}}[ .]{_DAY}{_MONTH}\d\d[ .]\d{{4}}",
)
_NPWP = (r"\d{2}\.\d{3}\.\d{3}\.\d[-. ]?\d{3}[-.]\d{3}", r"0\d{3} \d{4} \d{4} \d{4}")
_NIP = (
    r"\d{8} \d{6} \d \d{3}",
    rf"{_YEAR}{_MONTH}(?:0[1-9]|[12]\d|3[01])[-. ]?{_YEAR}\d\d[-. ]?\d[-. ]?\d{{3}}",
)
NUMBER = "|".join((r"(?:\d{15,18}", *_NIK, *_NPWP, *_NIP)) + ")"
"""A NIP, NIK or NPWP."""

REST_OF_PHONE = r"[-. ]?\d{3,4}[-. ]?\d{3,5}"
MOBILE = (
    r"(?:(?:(?:\+62|\(\+?62\))[-. ]?(?:\(0\)|0)?[-. ]?|62[- ]?|\(0\)[-. ]?|0)8\d{1,2}|\((?:\+?62|0)8\d{1,2}\))"
    + REST_OF_PHONE
)
LANDLINE = r"\(0\d{2,3}\)[-. ]?(?:\d{5,8}|\d{3,4}[-. ]\d{3,4})"
CALLED = r"(?=[FHTWfhtw])(?<![A-Za-z])(?i:WA|HP|Te?le?p(?:on)?|Fax)[ .:]{0,3}"
"""What a number stands behind that is a phone's, if it is as long as one."""

# Begun where a word begins and never given back: else a long word before an @ is tried from each of its letters.
MAILBOX = r"(?<![\w.+-])[\w.+-]++@[\w-]++\."

"""Daily to yearly reports as XLSX, CSV and PDF, in Chinese and English, each with a manifest of what is in it.

`plan` says what is in a report, `content` fills it with figures, `tables` and `pages` make files of it, and
`building` does so in the background.
"""

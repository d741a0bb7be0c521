"""Daily to yearly reports as XLSX, CSV and PDF, in Chinese and English, each with a manifest of what is in it.

`plan` says what is in a report and `periods` of when; `content` fills it with figures, once for all languages and
formats; `document` makes texts and tables of these, with `names`, `narrative`, `values` and `definitions`; `pages`,
`workbook` and `tables` make files. `filing` keeps reports and files what `schedule` says is due, `building` builds in
the background.
"""

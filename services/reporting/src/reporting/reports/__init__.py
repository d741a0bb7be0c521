"""Daily to yearly reports as XLSX, CSV and PDF, in Chinese and English, each with a manifest.

`plan` lists the sections of a report and `periods` its period. `content` fills it with figures, once for all languages
and formats. `document` makes texts and tables of these, with `names`, `narrative`, `values` and `definitions`; `pages`,
`workbook` and `tables` make files. `filing` keeps reports and files those due by `schedule`; `building` builds in the
background.
"""

"""The published language of Linework.

What services and partners say to each other on Kafka, and nothing else: the life of a work order
(`lifecycle`), what can happen to it (`events`), what is asked of its custodian (`requests`), what a
reader knows after reading (`order`), how it travels (`message`, `codec`, `topics`) and how anybody
proves that nothing was changed (`chain`).

`lifecycle`, `events`, `requests`, `directory`, `order`, `message` and `refusals` import the standard
library only, so that pure domain code may speak this language.
"""

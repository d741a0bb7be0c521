"""The published language of Linework.

The messages that services and partners exchange on Kafka, and nothing else: the life of a work order
(`lifecycle`), its events (`events`), the requests to its custodian (`requests`), the folded state (`order`),
the transport (`message`, `codec`, `topics`) and the proof that nothing was changed (`chain`).

`lifecycle`, `events`, `requests`, `directory`, `order`, `message` and `refusals` import the standard
library only, so that pure domain code may speak this language.
"""

"""Recovery of lost or restored data: what can be lost, and how a service recovers.

A service has its state in a database, and what it published stands on Kafka. Either can be lost or set back without the
other. The service keeps its offsets in its own database (`chassis.offsets`), so it can notice that and mend it.

**A database was restored from a backup**, or a replica without everything took over: it is older than what the service
published.
  Noticed: the operator runs `python -m chassis.restored SERVICE`; else the worker finds at its start that its group has
  committed more to Kafka than the database has read.
  Mended: `restored_backup` marks how far each topic must be read, and takes back what the service last published about
  entities of its own. `fence` refuses every command until that is read.

**A topic was deleted and created again**: stored offsets mean other records.
  Noticed: the topic's id or its end does not fit what is stored with the offsets. A worker compares them at its start,
  with each assignment and every ten seconds.
  Mended: `recreated_topic` goes back to the beginning of the topic. Records that are known already are repeats.

**A topic was lost that reporting has a record of.**
  Noticed: by the operator.
  Mended: `python -m reporting.republish TOPIC` fills it from the record; `lost_topic` keeps workers away meanwhile.
  Afterwards it is a recreated topic.

**A topic was lost that a service publishes from its tables**, such as reference data and keys.
  Noticed: by the operator.
  Mended: `re_emit` (`python -m chassis.say_again SERVICE TOPIC`) publishes each entity again, at the version it has.

**Nothing was lost, but topics must stand still**, as when one gets more partitions.
  `pause` stops every relay of a service for a while, on the request of an operator (`pause_api`). Commands are taken
  meanwhile and wait in the outbox.

`start_check` is what a worker does about the first three before it reads or publishes anything. `chassis.restored` and
`chassis.say_again` are the command lines. A service is found by its entry points `linework.consumers` and
`linework.re_emitted`: the chassis imports no service. What a service takes back and emits again is its own module
`recovery`.
"""

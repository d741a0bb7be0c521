"""One custodian at a time: how a service keeps orders, changes those it holds, and follows all others.

Every service has the same row for every order it has heard of (`rows`): its state folded from the
stream. `record` is the custodian's side: one guarded statement for a decision. `follow` is everybody's
side: the stream, applied once and in order. `answers` is what a custodian says to requests. `views` are
the lists that people work from.
"""

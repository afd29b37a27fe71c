"""What an identity provider will do to a SCIM endpoint, lived through against it, and what the endpoint made of it.

expectations   what an endpoint must, should or may do, with the source of each rule (expectations.toml)
recorder       every exchange on the wire; touches only what was made here
lab            an embedded directory, the real engine, a clock of its own
endpoint       questions put to the endpoint directly, in the profile's dialect
telling        how a story is told: what happens, what is expected, what came
stories/       the stories, one module a theme
runner         which stories, in which order, and the tidying up
report         what came of it; rendering/ shows it as text, HTML, JSON and JUnit XML
"""

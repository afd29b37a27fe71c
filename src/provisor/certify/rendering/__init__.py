"""The report for people, for machines and for build servers."""

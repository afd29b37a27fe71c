"""App side, step 2: how people look through what was provisioned: by names, in pages, as cheap at 100,000 as at ten."""

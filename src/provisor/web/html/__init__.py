"""What all pages share: templates, static files, headers, sessions and CSRF, forms, lists, live parts, error pages."""

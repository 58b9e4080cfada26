"""Where files lie on storage."""

import re


def by_year(scope, name, rse, rse_attributes, protocol_attributes):
    """`data.2026.run1` of scope `user.jdoe` lies in `user/jdoe/2026/`; names without a year in `user/jdoe/other/`."""
    found = re.search(r"(?<!\d)(20\d\d)(?!\d)", name)
    return "/".join([scope.replace(".", "/"), found.group(1) if found else "other", name])


def by_dataset(dataset, scope, filename):
    """Files of a dataset side by side, below the first word of its name."""
    return f"/{dataset.split('.')[0]}/{dataset}/{filename}"

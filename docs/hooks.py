"""What MkDocs does besides: a link to a file outside docs/ becomes its name, because the site has no such page."""

import re

OUTSIDE = re.compile(r"(?<!!)\[([^\]]+)\]\((?:\.\./)+([^)#]+)(?:#[^)]*)?\)")


def on_page_markdown(markdown: str, **_) -> str:
    """The page's text with links out of docs/ as text: [speed](../benchmarks) -> speed (`benchmarks`)."""
    return OUTSIDE.sub(lambda link: f"{link[1]} (`{link[2]}`)", markdown)

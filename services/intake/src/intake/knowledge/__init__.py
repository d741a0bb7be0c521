"""Knowledge articles: written, searched, and which calls they settled."""

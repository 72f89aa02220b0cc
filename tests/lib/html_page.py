"""What a browser would make of the HTML of a picture."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """Some HTML as a browser reads it: its elements, the words in coloured spans; every element must be closed."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        assert self.open == [], "an element was never closed"

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag != "br":
            self.open.append(tag)
        if tag == "span":
            self.words.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, text):
        if self.open and self.open[-1] == "span":
            self.words[-1] += text

    def handle_comment(self, text):
        raise AssertionError("a comment hides part of the text")

    def spans(self):
        return [attributes for tag, attributes in self.elements if tag == "span"]

    def attribute(self, name):
        return next(attributes[name] for _, attributes in self.elements if name in attributes)


def styles(highlight):
    return [span.get("style", "") for span in Page(highlight._repr_html_()).spans()]

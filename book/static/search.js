// Three things that Sphinx's search leaves open. Runs before the search does, which waits for the same event.
document.addEventListener("DOMContentLoaded", () => {
  // The s of "AG's" is looked for but not indexed, so that nothing would be found.
  stopwords.push("s");
  // The excerpts of the pages found are fetched from a server; a folder has none.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
  // The place of an index entry holds no text, of which no excerpt can be made: take one of the page.
  const excerpt = Search.makeSearchSummary;
  Search.makeSearchSummary = (page, words, place) => excerpt(page, words, place) ?? excerpt(page, words);
});

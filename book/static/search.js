// Two things that Sphinx's search leaves open. Runs before the search does, which waits for the same event.
document.addEventListener("DOMContentLoaded", () => {
  // The s of "AG's" is looked for but not indexed, so that nothing would be found.
  stopwords.push("s");
  // The excerpts of the pages found are fetched from a server; a folder has none.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
});

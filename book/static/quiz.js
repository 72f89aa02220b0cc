// A quiz can be clicked: each answer becomes a button that says whether it is right. Without this script, and on paper,
// question and folded answer stand there as they are. Keyboard and screen reader: they are buttons, and what they say is
// announced.

function makeClickable(question) {
  const answer = question.querySelector(".dropdown");
  const right = answer?.querySelector("p:not(.admonition-title)")?.textContent.trim().match(/^([a-z])\b/)?.[1];
  const options = [...question.querySelectorAll("p, li")].filter((node) =>
    !answer.contains(node) && !node.querySelector("p") && /^[a-z]\)\s/.test(node.textContent.trim()));
  if (!right || options.length < 2) return;
  const said = document.createElement("p");
  said.className = "quiz-said";
  said.setAttribute("role", "status");
  for (const option of options) {
    const button = document.createElement("button");
    button.className = "quiz-option";
    button.append(...option.childNodes);
    option.append(button);
    button.addEventListener("click", () => {
      const isRight = button.textContent.trim().startsWith(`${right})`);
      button.dataset.chosen = isRight ? "right" : "wrong";
      said.textContent = isRight ? "✓ Right. The answer says why." : "✗ Not this one. Try another, or open the answer.";
      if (isRight && answer.classList.contains("toggle-hidden")) answer.querySelector("button.toggle-button")?.click();
    });
  }
  answer.before(said);
}

document.addEventListener("DOMContentLoaded", () =>
  document.querySelectorAll(".admonition.quiz").forEach(makeClickable));

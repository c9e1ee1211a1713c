// What differs between trackers: how their tools are named and what an issue looks like. Everything else is the same.
"use strict";

const TRACKERS = {
  demo: {
    name: "Demo tracker",
    list: async () => (await run("DEMO_LIST_ISSUES")).issues,
    create: (title, body, key) => run("DEMO_CREATE_AN_ISSUE", { title, ...(body && { body }) }, key),
    close: (number) => run("DEMO_CLOSE_AN_ISSUE", { number }),
  },
  github: {
    name: "GitHub",
    list: async () => {
      const issues = await run("GITHUB_LIST_REPOSITORY_ISSUES", { ...repository(), state: "open", per_page: 50 });
      // GitHub counts pull requests as issues.
      return issues.filter((issue) => !issue.pull_request);
    },
    create: (title, body, key) =>
      run("GITHUB_CREATE_AN_ISSUE", { ...repository(), title, ...(body && { body }) }, key),
    close: (number) => run("GITHUB_UPDATE_AN_ISSUE", { ...repository(), issue_number: number, state: "closed" }),
  },
};

/** Runs a tool of the tracker of now; the same key runs it once. */
function run(action, args, idempotencyKey) {
  return taiku.integrations.execute(tracker(), action, args, { idempotencyKey });
}

function repository() {
  const [owner, repo] = document.getElementById("repository").value.trim().split("/");
  return { owner, repo };
}

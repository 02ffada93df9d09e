// Where the explorer is: "" at the root of its server, "/lab" below a proxy that says so (X-Forwarded-Prefix).

export const base = document.documentElement.dataset.base ?? "";

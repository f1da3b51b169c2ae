/** Start and end, never left and right; colours come from tokens.css alone. */
export default {
  overrides: [
    { files: ["**/*.svelte"], customSyntax: "postcss-html" },
    { files: ["src/tokens.css"], rules: { "color-no-hex": null } },
  ],
  rules: {
    "property-layout-mappings": "flow-relative",
    "value-keyword-layout-mappings": "flow-relative",
    "color-no-hex": true,
    "color-named": "never",
    "function-disallowed-list": ["rgb", "rgba", "hsl", "hsla", "oklch", "lab", "lch"],
    "declaration-block-no-duplicate-properties": true,
    "property-no-unknown": true,
    "no-duplicate-selectors": true,
    "block-no-empty": true,
    "unit-no-unknown": true,
    "color-no-invalid-hex": true,
    "no-invalid-double-slash-comments": true,
  },
};

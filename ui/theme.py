"""How the chat looks: Streamlit's own theme options, and the few rules that it has no option for.

`octavo serve` passes THEME as flags, since no configuration file can be expected where a user stands.
"""

from __future__ import annotations

import json

_INK, _PAPER, _ACCENT = "#26241f", "#fdfcfa", "#1f6660"
_CHALK, _SLATE, _GLOW = "#e9e6df", "#191b1c", "#83bdb3"

THEME: dict[str, str] = {
    "theme.font": "sans-serif",
    "theme.headingFont": "serif",
    "theme.headingFontSizes": json.dumps(["2rem", "1.375rem", "1rem", "1rem", "0.875rem", "0.875rem"]),
    "theme.headingFontWeights": json.dumps([500, 500, 600, 600, 600, 600]),
    "theme.baseRadius": "0.4rem",
    "theme.linkUnderline": "false",
    "theme.paddingTop": "1.5rem",
    "theme.light.primaryColor": _ACCENT,
    "theme.light.backgroundColor": _PAPER,
    "theme.light.secondaryBackgroundColor": "#f3f0ea",
    "theme.light.textColor": _INK,
    "theme.light.linkColor": _ACCENT,
    "theme.light.borderColor": "#e2ddd3",
    "theme.light.sidebar.backgroundColor": "#f6f3ee",
    "theme.light.sidebar.secondaryBackgroundColor": "#ebe6dc",
    "theme.dark.primaryColor": _GLOW,
    "theme.dark.backgroundColor": _SLATE,
    "theme.dark.secondaryBackgroundColor": "#25282a",
    "theme.dark.textColor": _CHALK,
    "theme.dark.linkColor": _GLOW,
    "theme.dark.borderColor": "#373b3d",
    "theme.dark.sidebar.backgroundColor": "#141617",
    "theme.dark.sidebar.secondaryBackgroundColor": "#24282a",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
}

# A sheet folded three times: eight leaves. Its colour has to do on paper and on slate.
LOGO = """<svg xmlns="http://www.w3.org/2000/svg" width="148" height="32" viewBox="0 0 148 32" fill="none">
<g stroke="#4b8f87" stroke-width="1.6" stroke-linejoin="round" stroke-linecap="round">
<path d="M4 7.5 C8 5 12 5 16 8 C20 5 24 5 28 7.5 V25 C24 22.5 20 22.5 16 25.5 C12 22.5 8 22.5 4 25 Z"/>
<path d="M16 8 V25.5"/><path d="M8 12 H12 M8 16 H12 M20 12 H24 M20 16 H24"/></g>
<text x="38" y="23" font-family="'Source Serif 4','Source Serif Pro',Georgia,'DejaVu Serif',serif" font-size="21"
 letter-spacing=".3" fill="#4b8f87">Octavo</text></svg>"""
MARK = LOGO.replace('width="148"', 'width="32"').replace('viewBox="0 0 148 32"', 'viewBox="0 0 32 32"')

STYLE = """<style>
/* A measure that can be read, whatever the window's width; the viewer needs room for a page and its elements. */
.stMainBlockContainer, [data-testid="stBottomBlockContainer"] { max-width: 52rem; }
.stMainBlockContainer:has(.st-key-viewer) { max-width: 80rem; padding-inline: clamp(1rem, 3vw, 3rem); }
.st-key-elements p { font-size: .9rem; line-height: 1.45; }
[data-testid="stBottomBlockContainer"] { padding-top: .25rem; padding-bottom: 1.5rem; }
[data-testid="stBottomBlockContainer"] .stVerticalBlock { gap: .25rem; }

/* Streamlit's own Stop leaves no word of it; ours stands with the answer. */
[data-testid="stStatusWidget"] button { display: none; }

/* Questions as headings, answers as text. */
.stChatMessage { background: none; padding: 0; }
[data-testid="stChatMessageAvatarCustom"] { display: none; }
[class*="st-key-asked-"] {
  border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); padding-top: 1.5rem; }
[class*="st-key-asked-0-"] { border-top: none; padding-top: 0; scroll-margin-top: 1.5rem; }
.st-key-writing { min-height: 75vh; }
.stMainBlockContainer:has(.st-key-writing) [data-stale="true"] { display: none; }
[class*="st-key-asked-"] p { font-family: "Source Serif", serif; font-size: 1.375rem; line-height: 1.35; }

/* Cited places: a small caption over each picture, the page's edge visible on white and on slate. */
[class*="st-key-card-"] h3 { font-family: inherit; font-size: .875rem; padding: 0 0 .5rem; font-weight: 600; }
[class*="st-key-card-"] img, .st-key-viewer img {
  border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: .25rem; }
[data-testid="stPageLink-NavLink"] { transform: translateX(-.5rem); }

/* The list of conversations reads as a list, not as buttons. */
.st-key-conversations { margin-top: -.75rem; }
.st-key-conversations button { justify-content: flex-start; padding: .25rem .5rem; min-height: 2rem; }
.st-key-conversations .stButton button:hover, .st-key-conversations .st-key-current {
  background: color-mix(in srgb, currentColor 7%, transparent); border-radius: .4rem; }
.st-key-conversations .st-key-current { padding: 0; margin: 0; }
.st-key-conversations .st-key-current .stButton button:hover { background: none; }

/* Documents: rows between hairlines. */
.st-key-shelved { margin-top: .75rem; }
[class*="st-key-document-"] { border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent);
  padding-bottom: .5rem; }
</style>"""

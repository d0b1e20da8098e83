/* Three glyph levels: what charts, rules and marks are made of. V changes the level, the locale bounds it. */
#ifndef TUI_GLYPH_H
#define TUI_GLYPH_H

enum glyph_level { GLYPH_ASCII, GLYPH_BLOCK, GLYPH_BRAILLE };

#endif

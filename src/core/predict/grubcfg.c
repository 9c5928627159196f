/* SPDX-License-Identifier: Apache-2.0 */
#include "core/predict/grubcfg.h"

#include "core/base/limits.h"
#include "core/predict/ipl.h"

/* One walk over the text. Positions are octets of it; the first failure ends the walk. */
struct scan {
	struct ay_bytes in;
	size_t at;
	const char *why; /* NULL: all is well */
};

/* A word as it stands in the file. */
struct word {
	size_t start, end;
};

static uint8_t peek(const struct scan *s)
{
	return s->at < s->in.n ? s->in.p[s->at] : 0;
}

static bool is_end(const struct scan *s)
{
	return s->why != NULL || s->at >= s->in.n;
}

static bool is_special(uint8_t c)
{
	return c == '{' || c == '}' || c == '|' || c == '&' || c == ';' || c == '<' || c == '>';
}

static void skip_quoted(struct scan *s, uint8_t quote)
{
	for (s->at++; s->at < s->in.n && s->in.p[s->at] != quote; s->at++)
		if (quote == '"' && s->in.p[s->at] == '\\')
			s->at++;
	if (s->at >= s->in.n)
		s->why = "a quote that does not end";
	s->at++;
}

static void skip_variable(struct scan *s)
{
	const uint8_t *end;

	s->at++;
	if (peek(s) != '{')
		return;
	end = memchr(s->in.p + s->at, '}', s->in.n - s->at);
	if (end == NULL)
		s->why = "a variable that does not end";
	else
		s->at = (size_t)(end - s->in.p) + 1;
}

/* The word that begins here; it has at least one octet. */
static struct word take_word(struct scan *s)
{
	struct word w = { s->at, s->at };

	while (!is_end(s)) {
		uint8_t c = peek(s);

		if (c == ' ' || c == '\t' || c == '\n' || is_special(c))
			break;
		if (c == '\'' || c == '"')
			skip_quoted(s, c);
		else if (c == '$')
			skip_variable(s);
		else
			s->at += c == '\\' ? 2 : 1;
	}
	if (s->at > s->in.n)
		s->at = s->in.n;
	w.end = s->at;
	return w;
}

/* Blanks, continued lines and comments; at_start: of a word, where a comment may begin. */
static void skip_blanks(struct scan *s)
{
	for (;;) {
		uint8_t c = peek(s);

		if (is_end(s))
			return;
		if (c == ' ' || c == '\t') {
			s->at++;
		} else if (c == '\\' && s->at + 1 < s->in.n && s->in.p[s->at + 1] == '\n') {
			s->at += 2;
		} else if (c == '#') {
			while (s->at < s->in.n && s->in.p[s->at] != '\n')
				s->at++;
		} else {
			return;
		}
	}
}

/* From an opening brace to behind the one that closes it. */
static void skip_block(struct scan *s)
{
	size_t depth = 0;

	do {
		uint8_t c;

		skip_blanks(s);
		if (is_end(s))
			break;
		c = peek(s);
		depth += c == '{';
		depth -= c == '}';
		if (c == '\n' || is_special(c))
			s->at++;
		else
			(void)take_word(s);
	} while (depth > 0 && !is_end(s));
	if (depth > 0 && s->why == NULL)
		s->why = "a brace that does not end";
}

static bool is_word(const struct scan *s, struct word w, const char *text)
{
	return w.end - w.start == strlen(text) &&
	       memcmp(s->in.p + w.start, text, strlen(text)) == 0;
}

/* ---- words as GRUB measures them ---- */

static bool put_variable(const struct scan *s, size_t *at, struct ay_writer *w)
{
	static const char *const forms[] = { "$menuentry_id_option", "${menuentry_id_option}" };

	for (size_t i = 0; i < AY_COUNT(forms); i++) {
		size_t n = strlen(forms[i]);

		if (s->in.n - *at < n || memcmp(s->in.p + *at, forms[i], n) != 0)
			continue;
		ay_wr_str(w, "--id");
		*at += n;
		return true;
	}
	return false;
}

/* The text inside double quotes; *at stands on the first of them. */
static bool put_double(const struct scan *s, size_t *at, struct ay_writer *w)
{
	for (*at += 1; s->in.p[*at] != '"';) {
		uint8_t c = s->in.p[*at], next = s->in.p[*at + 1];

		if (c == '$') {
			if (!put_variable(s, at, w))
				return false;
			continue;
		}
		if (c == '\\' && (next == '$' || next == '\\' || next == '"')) {
			c = next;
			*at += 1;
		}
		ay_wr_u8(w, c);
		*at += 1;
	}
	*at += 1;
	return true;
}

static bool put_word(const struct scan *s, struct word word, struct ay_writer *w)
{
	for (size_t at = word.start; at < word.end;) {
		uint8_t c = s->in.p[at];

		if (c == '"') {
			if (!put_double(s, &at, w))
				return false;
		} else if (c == '$') {
			if (!put_variable(s, &at, w))
				return false;
		} else if (c == '\'') {
			for (at++; s->in.p[at] != '\''; at++)
				ay_wr_u8(w, s->in.p[at]);
			at++;
		} else {
			if (c == '\\')
				at++;
			if (at < word.end)
				ay_wr_u8(w, s->in.p[at]);
			at++;
		}
	}
	return true;
}

/* ---- commands ---- */

#define WORDS_MAX 64

struct command {
	struct word word[WORDS_MAX];
	size_t n;
};

static const char *render(const struct scan *s, const struct command *c, struct ay_arena *a)
{
	size_t room = c->word[c->n - 1].end - c->word[0].start + 8 * c->n + 1;
	char *text = ay_arena_alloc(a, room);
	struct ay_writer w;
	struct ay_bytes out;

	if (text == NULL)
		return NULL;
	ay_wr_init(&w, text, room);
	for (size_t i = 0; i < c->n; i++) {
		if (i > 0)
			ay_wr_u8(&w, ' ');
		if (!put_word(s, c->word[i], &w))
			return NULL;
	}
	ay_wr_u8(&w, 0);
	return ay_wr_end(&w, "grubcfg", &out, NULL) == AY_OK ? text : NULL;
}

struct parser {
	struct scan s;
	struct ay_arena *a;
	struct ay_grubcfg *cfg;
	size_t room;
	size_t depth; /* of if, while, until, for */
	bool is_limit;
};

static struct ay_grub_entry *new_entry(struct parser *p)
{
	struct ay_grub_entry *bigger;
	size_t room = p->room == 0 ? 32 : p->room * 2;

	if (p->cfg->n == p->room) {
		bigger = p->room >= AY_MAX_GRUBCFG_ENTRIES
				 ? NULL
				 : ay_arena_array(p->a, room, sizeof(*bigger));
		if (bigger == NULL) {
			p->s.why = "too many menu entries";
			p->is_limit = true;
			return NULL;
		}
		if (p->cfg->n > 0)
			memcpy(bigger, p->cfg->entry, p->cfg->n * sizeof(*bigger));
		p->cfg->entry = bigger;
		p->room = room;
	}
	return &p->cfg->entry[p->cfg->n++];
}

static void take_block(struct parser *p, const struct command *c)
{
	size_t start = p->s.at;
	struct ay_grub_entry *ent;

	skip_block(&p->s);
	if (p->s.why != NULL || c->n == 0 || is_word(&p->s, c->word[0], "function"))
		return;
	ent = new_entry(p);
	if (ent == NULL)
		return;
	*ent = (struct ay_grub_entry){ .head = render(&p->s, c, p->a),
				       .block = { p->s.in.p + start + 1, p->s.at - start - 2 },
				       .is_conditional = p->depth > 0,
				       .start = start,
				       .end = p->s.at };
}

/* Words that end, begin or part a compound; what follows begins a command of its own. */
static bool is_keyword(struct parser *p, struct word w)
{
	static const struct {
		const char *word;
		int depth;
	} words[] = { { "if", 1 },   { "while", 1 }, { "until", 1 }, { "fi", -1 }, { "done", -1 },
		      { "then", 0 }, { "else", 0 },  { "elif", 0 },  { "do", 0 },  { "!", 0 } };

	for (size_t i = 0; i < AY_COUNT(words); i++) {
		if (!is_word(&p->s, w, words[i].word))
			continue;
		if (words[i].depth < 0 && p->depth == 0)
			p->s.why = "fi or done without its beginning";
		else
			p->depth += (size_t)words[i].depth;
		return true;
	}
	if (is_word(&p->s, w, "case") || is_word(&p->s, w, "select"))
		p->s.why = "case and select are not understood";
	if (is_word(&p->s, w, "for"))
		p->depth++;
	return false;
}

static void take_command(struct parser *p)
{
	struct command c = { .n = 0 };

	for (;;) {
		struct word w;

		skip_blanks(&p->s);
		if (is_end(&p->s))
			return;
		if (peek(&p->s) == '{') {
			take_block(p, &c);
			continue;
		}
		if (peek(&p->s) == '\n' || is_special(peek(&p->s))) {
			p->s.at++;
			return;
		}
		w = take_word(&p->s);
		if (c.n == 0 && is_keyword(p, w))
			continue;
		if (c.n == WORDS_MAX)
			p->s.why = "a command of too many words";
		else
			c.word[c.n++] = w;
	}
}

static size_t line_of(const struct scan *s)
{
	size_t line = 1;

	for (size_t i = 0; i < s->at && i < s->in.n; i++)
		line += s->in.p[i] == '\n';
	return line;
}

enum ay_rc ay_grubcfg_parse(struct ay_bytes text, struct ay_arena *a, struct ay_grubcfg *out,
			    struct ay_err *e)
{
	struct parser p = { .s = { .in = text }, .a = a, .cfg = out };

	*out = (struct ay_grubcfg){ .text = text };
	if (text.n > AY_MAX_GRUBCFG_BYTES)
		return ay_fail(e, AY_E_LIMIT, "grubcfg", 0, "larger than %d octets",
			       AY_MAX_GRUBCFG_BYTES);
	while (!is_end(&p.s))
		take_command(&p);
	if (p.s.why == NULL && p.depth > 0)
		p.s.why = "an if that does not end";
	if (p.s.why == NULL)
		return AY_OK;
	*out = (struct ay_grubcfg){ 0 };
	return ay_fail(e, p.is_limit ? AY_E_LIMIT : AY_E_INPUT, "grubcfg", p.s.at, "line %zu: %s",
		       line_of(&p.s), p.s.why);
}

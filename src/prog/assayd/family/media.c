/* SPDX-License-Identifier: Apache-2.0 */
/* Which form of an answer a client wants: suffix of the path, else Accept [RFC9110 12.5.1]. */
#include "prog/assayd/family/family.h"

enum { MAX_RANGES = 32 };

static const struct {
	const char *type;
	enum ay_media media;
} types[] = {
	{ "application/json", AY_MEDIA_JSON },
	{ "application/vnd.api+json", AY_MEDIA_JSON },
	{ "text/json", AY_MEDIA_JSON },
	{ "application/xml", AY_MEDIA_XML },
	{ "text/xml", AY_MEDIA_XML },
	{ "application/yaml", AY_MEDIA_YAML },
	{ "text/yaml", AY_MEDIA_YAML },
	{ "application/x-yaml", AY_MEDIA_YAML },
	{ "application/samlassertion+xml", AY_MEDIA_SAML },
	{ "application/saml+xml", AY_MEDIA_SAML },
	{ "text/plain", AY_MEDIA_TEXT },
	{ "application/x-pem-file", AY_MEDIA_PEM },
	{ "application/pkix-cert", AY_MEDIA_DER },
	{ "application/octet-stream", AY_MEDIA_DER },
};

static const struct {
	const char *suffix;
	enum ay_media media;
} suffixes[] = {
	{ "json", AY_MEDIA_JSON }, { "xml", AY_MEDIA_XML },  { "yaml", AY_MEDIA_YAML },
	{ "saml", AY_MEDIA_SAML }, { "txt", AY_MEDIA_TEXT }, { "pem", AY_MEDIA_PEM },
	{ "crt", AY_MEDIA_DER },   { "der", AY_MEDIA_DER },
};

const char *ay_media_type(enum ay_media m)
{
	for (size_t i = 0; i < AY_COUNT(types); i++)
		if (types[i].media == m)
			return types[i].type;
	return "application/octet-stream";
}

static struct ay_bytes trim(struct ay_bytes b)
{
	while (b.n > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = (struct ay_bytes){ b.p + 1, b.n - 1 };
	while (b.n > 0 && (b.p[b.n - 1] == ' ' || b.p[b.n - 1] == '\t'))
		b.n--;
	return b;
}

/* What stands before the next stop; rest begins behind it. */
static struct ay_bytes cut(struct ay_bytes *rest, uint8_t stop)
{
	size_t n = 0;
	struct ay_bytes head;

	while (n < rest->n && rest->p[n] != stop)
		n++;
	head = (struct ay_bytes){ rest->p, n };
	n += n < rest->n;
	*rest = (struct ay_bytes){ rest->p + n, rest->n - n };
	return trim(head);
}

static bool is_word(struct ay_bytes b, const char *word)
{
	return b.n == strlen(word) && strncasecmp((const char *)b.p, word, b.n) == 0;
}

/* q in thousandths; 1000 when there is none, 0 for what is no number. */
static unsigned quality(struct ay_bytes params)
{
	while (params.n > 0) {
		struct ay_bytes value = cut(&params, ';');
		struct ay_bytes name = cut(&value, '=');
		unsigned q = 0, unit = 1000;

		if (!is_word(name, "q"))
			continue;
		for (size_t i = 0; i < value.n && i < 5; i++) {
			if (i == 1 && value.p[i] == '.')
				continue;
			if (value.p[i] < '0' || value.p[i] > '9')
				return 0;
			q += unit * (unsigned)(value.p[i] - '0');
			unit /= 10;
		}
		return q > 1000 ? 1000 : q;
	}
	return 1000;
}

/* Media that a range covers, as bits; how exactly: 2 one, 1 a family, 0 all. */
static unsigned covered(struct ay_bytes range, int *exact)
{
	unsigned bits = 0;

	*exact = is_word(range, "*/*") || is_word(range, "*") ? 0 : 2;
	if (*exact == 0)
		return ~0u;
	if (range.n > 2 && memcmp(range.p + range.n - 2, "/*", 2) == 0)
		*exact = 1;
	for (size_t i = 0; i < AY_COUNT(types); i++)
		if (*exact == 1
			    ? strncasecmp(types[i].type, (const char *)range.p, range.n - 1) == 0
			    : is_word(range, types[i].type))
			bits |= AY_MEDIA_BIT(types[i].media);
	return bits;
}

enum ay_media ay_media_choose(struct ay_bytes accept, unsigned offered, enum ay_media otherwise)
{
	unsigned q[AY_MEDIAS] = { 0 };
	int how[AY_MEDIAS], exact;
	enum ay_media best = AY_MEDIA_NONE;

	if (trim(accept).n == 0)
		return otherwise;
	for (int m = 0; m < AY_MEDIAS; m++)
		how[m] = -1;
	for (int i = 0; i < MAX_RANGES && accept.n > 0; i++) {
		struct ay_bytes params = cut(&accept, ',');
		struct ay_bytes range = cut(&params, ';');
		unsigned bits = covered(range, &exact);

		for (int m = 1; m < AY_MEDIAS; m++)
			if ((bits & AY_MEDIA_BIT(m)) != 0 && exact > how[m]) {
				how[m] = exact;
				q[m] = quality(params);
			}
	}
	if (otherwise != AY_MEDIA_NONE && (offered & AY_MEDIA_BIT(otherwise)) != 0 &&
	    q[otherwise] > 0)
		best = otherwise;
	for (int m = 1; m < AY_MEDIAS; m++)
		if ((offered & AY_MEDIA_BIT(m)) != 0 &&
		    (q[m] > q[best] ||
		     (best != AY_MEDIA_NONE && q[m] == q[best] && how[m] > how[best])))
			best = (enum ay_media)m;
	return best;
}

enum ay_media ay_family_media(const struct ay_api_call *c, unsigned offered,
			      enum ay_media otherwise)
{
	for (size_t i = 0; i < AY_COUNT(suffixes); i++)
		if (ay_bytes_eq(c->suffix, ay_bytes_of(suffixes[i].suffix)))
			return (offered & AY_MEDIA_BIT(suffixes[i].media)) != 0 ? suffixes[i].media
										: AY_MEDIA_NONE;
	return ay_media_choose(c->accept, offered, otherwise);
}

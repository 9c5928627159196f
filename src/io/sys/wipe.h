/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AY_SYS_WIPE_H
#define AY_SYS_WIPE_H

/*
 * Secrets go when what held them goes: passwords and tokens come and are told
 * in JSON, which is copied by its library as it is read, changed and written.
 */

/* All of a piece of malloc, which stays. NULL is fine. */
void ay_wipe_block(void *p);
/* Wiped, then freed. */
void ay_wipe_free(void *p);
/* From now on all JSON of this process is wiped when it is freed. Texts of json_dumps() are
 * the caller's: ay_wipe_free(). */
void ay_wipe_json(void);

#endif

// libedit for Swift: histedit.h as it is, and a function for each use of its variadic ones, which Swift cannot call.

#ifndef ACT_LIBEDIT_H
#define ACT_LIBEDIT_H

#include <histedit.h>

typedef int (*edit_read_function)(EditLine *, wchar_t *);
typedef unsigned char (*edit_command_function)(EditLine *, int);

/// An editor on standard input that draws nothing; NULL where there is none for this terminal.
EditLine *edit_open(const char *program);
/// Where characters come from: 1 for a character, 0 at the end, -1 with errno for an error.
void edit_set_reader(EditLine *, edit_read_function);
void edit_set_emacs(EditLine *);
/// Whether the keys are those of emacs, not of vi.
int edit_is_emacs(EditLine *);
void edit_add_command(EditLine *, const char *name, const char *help, edit_command_function);
void edit_bind(EditLine *, const char *key, const char *command);
/// The same for vi's command mode.
void edit_bind_alternative(EditLine *, const char *key, const char *command);
/// Takes the terminal over: no echo, no editing of its own.
void edit_prepare(EditLine *);
/// Takes the terminal over again after another program had it.
void edit_resume(EditLine *);

/// Remembered lines, at most `size`, which Up brings back.
History *edit_add_history(EditLine *, int size);
void edit_remember(History *, const char *line);
/// The last remembered line that begins with `length` bytes and is longer; NULL if there is none. Valid until the next one is remembered.
const char *edit_recall(History *, const char *start, size_t length);

#endif

#include "CLibEdit.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

EditLine *edit_open(const char *program) {
    // For as long as the process.
    static FILE *nowhere;
    if (nowhere == NULL) nowhere = fopen("/dev/null", "we");
    // It asks the descriptors what the terminal is like, and writes to the files.
    return nowhere == NULL ? NULL : el_init_fd(program, stdin, nowhere, stderr, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO);
}

void edit_set_reader(EditLine *editor, edit_read_function reader) { el_wset(editor, EL_GETCFN, reader); }

void edit_set_emacs(EditLine *editor) { el_set(editor, EL_EDITOR, "emacs"); }

int edit_is_emacs(EditLine *editor) {
    const char *name = NULL;
    return el_get(editor, EL_EDITOR, &name) == 0 && name != NULL && name[0] == 'e';
}

void edit_add_command(EditLine *editor, const char *name, const char *help, edit_command_function function) {
    el_set(editor, EL_ADDFN, name, help, function);
}

void edit_bind(EditLine *editor, const char *key, const char *command) {
    el_set(editor, EL_BIND, key, command, NULL);
}

void edit_bind_alternative(EditLine *editor, const char *key, const char *command) {
    el_set(editor, EL_BIND, "-a", key, command, NULL);
}

void edit_prepare(EditLine *editor) { el_set(editor, EL_PREP_TERM, 1); }

void edit_resume(EditLine *editor) {
    el_set(editor, EL_PREP_TERM, 0);
    el_set(editor, EL_PREP_TERM, 1);
}

History *edit_add_history(EditLine *editor, int size) {
    HistEvent event;
    History *history_ = history_init();
    if (history_ == NULL) return NULL;
    history(history_, &event, H_SETSIZE, size);
    history(history_, &event, H_SETUNIQUE, 1);
    el_set(editor, EL_HIST, history, history_);
    return history_;
}

void edit_remember(History *history_, const char *line) {
    HistEvent event;
    history(history_, &event, H_ENTER, line);
}

const char *edit_recall(History *history_, const char *start, size_t length) {
    HistEvent event;
    for (int found = history(history_, &event, H_FIRST); found >= 0; found = history(history_, &event, H_NEXT))
        if (strncmp(event.str, start, length) == 0 && event.str[length] != 0) return event.str;
    return NULL;
}

#include "CLibEdit.h"
#include <stdio.h>

EditLine *edit_open(const char *program) { return el_init(program, stdin, stdout, stderr); }

void edit_set_prompt(EditLine *editor, edit_prompt_function prompt) { el_set(editor, EL_PROMPT, prompt); }

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

void edit_prepare(EditLine *editor) { el_set(editor, EL_PREP_TERM, 1); }

void edit_refresh(EditLine *editor) { el_set(editor, EL_REFRESH); }

void edit_resume(EditLine *editor) {
    el_set(editor, EL_PREP_TERM, 0);
    el_set(editor, EL_PREP_TERM, 1);
    el_set(editor, EL_REFRESH);
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

" Vim filetype plugin for act

if exists("b:did_ftplugin")
  finish
endif
let b:did_ftplugin = 1

setlocal comments=:# commentstring=#\ %s
setlocal expandtab shiftwidth=4 softtabstop=4 smartindent
setlocal iskeyword=@,48-57,_,170,181,186,192-255
" `:make` goes through what `act check` finds.
setlocal makeprg=act\ check\ %:S
setlocal errorformat=%Eerror:\ %m,%Wwarning:\ %m,%C\ \ %f:%l:%c,%C%.%#

let b:undo_ftplugin = "setlocal comments< commentstring< expandtab< shiftwidth< softtabstop< smartindent< iskeyword< makeprg< errorformat<"

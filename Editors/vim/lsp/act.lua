-- Neovim 0.11 and later: `vim.lsp.enable("act")` in init.lua.
return { cmd = { "act", "lsp" }, filetypes = { "act" }, root_markers = { ".git" } }

autocmd BufRead,BufNewFile *.act setfiletype act

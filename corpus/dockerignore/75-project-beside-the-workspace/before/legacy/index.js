require('ejs');

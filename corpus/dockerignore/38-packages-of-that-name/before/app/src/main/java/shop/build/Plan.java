package shop.build;

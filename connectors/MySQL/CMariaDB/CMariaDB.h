#pragma once
#include <mysql.h>
#include <errmsg.h>
#include <mysqld_error.h>

/* What Swift cannot import: options take a pointer whose meaning depends on the option. */

static inline int headrace_mysql_option_uint(MYSQL *mysql, enum mysql_option option, unsigned int value) {
    return mysql_options(mysql, option, &value);
}

static inline int headrace_mysql_option_flag(MYSQL *mysql, enum mysql_option option, int value) {
    my_bool flag = value != 0;
    return mysql_options(mysql, option, &flag);
}

static inline int headrace_mysql_option_text(MYSQL *mysql, enum mysql_option option, const char *value) {
    return mysql_options(mysql, option, value);
}

#pragma once
#include <sqlite3.h>

/* What Swift cannot import: SQLITE_TRANSIENT is a cast of -1 to a function pointer, sqlite3_db_config is variadic. */

/* Binds text that SQLite copies before this returns. */
static inline int headrace_sqlite3_bind_text_copy(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* Binds bytes that SQLite copies before this returns. */
static inline int headrace_sqlite3_bind_blob_copy(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/* Binds text that stays where it is until the next binding of the parameter. */
static inline int headrace_sqlite3_bind_text_static(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_STATIC, SQLITE_UTF8);
}

/* Binds bytes that stay where they are until the next binding of the parameter. */
static inline int headrace_sqlite3_bind_blob_static(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_STATIC);
}

/* Extended codes are sums of macros, which Swift does not import. */
enum {
    headrace_SQLITE_CONSTRAINT_CHECK = SQLITE_CONSTRAINT_CHECK,
    headrace_SQLITE_CONSTRAINT_DATATYPE = SQLITE_CONSTRAINT_DATATYPE,
    headrace_SQLITE_CONSTRAINT_FOREIGNKEY = SQLITE_CONSTRAINT_FOREIGNKEY,
    headrace_SQLITE_CONSTRAINT_NOTNULL = SQLITE_CONSTRAINT_NOTNULL,
    headrace_SQLITE_CONSTRAINT_PRIMARYKEY = SQLITE_CONSTRAINT_PRIMARYKEY,
    headrace_SQLITE_CONSTRAINT_ROWID = SQLITE_CONSTRAINT_ROWID,
    headrace_SQLITE_CONSTRAINT_TRIGGER = SQLITE_CONSTRAINT_TRIGGER,
    headrace_SQLITE_CONSTRAINT_UNIQUE = SQLITE_CONSTRAINT_UNIQUE
};

/* Reads a table row by row from the wire as a hand-written client would: every value's length is looked at and counted.
 * usage: read_mysql SOCKET DATABASE TABLE */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(MYSQL *connection) {
    fprintf(stderr, "%s\n", mysql_error(connection));
    exit(1);
}

int main(int count, char **words) {
    if (count != 4) return 2;
    MYSQL *connection = mysql_init(NULL);
    mysql_options(connection, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    if (!mysql_real_connect(connection, NULL, "root", NULL, words[2], 0, words[1], 0)) fail(connection);
    char sql[1024];
    snprintf(sql, sizeof sql, "SELECT * FROM %s", words[3]);
    if (mysql_query(connection, sql)) fail(connection);
    MYSQL_RES *result = mysql_use_result(connection);
    if (!result) fail(connection);
    unsigned fields = mysql_num_fields(result);
    long rows = 0, values = 0, bytes = 0;
    MYSQL_ROW row;
    while ((row = mysql_fetch_row(result)) != NULL) {
        unsigned long *lengths = mysql_fetch_lengths(result);
        rows++;
        for (unsigned field = 0; field < fields; field++) {
            if (!row[field]) continue;
            values++;
            bytes += lengths[field];
        }
    }
    if (mysql_errno(connection)) fail(connection);
    mysql_free_result(result);
    mysql_close(connection);
    printf("%ld rows, %ld values, %ld bytes\n", rows, values, bytes);
    return 0;
}

/* Reads a table by binary COPY as a hand-written client would: every value's length is looked at and every byte counted.
 * usage: read_postgresql CONNECTION TABLE */
#include <arpa/inet.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(PGconn *connection) {
    fprintf(stderr, "%s", PQerrorMessage(connection));
    exit(1);
}

int main(int count, char **words) {
    if (count != 3) return 2;
    PGconn *connection = PQconnectdb(words[1]);
    if (PQstatus(connection) != CONNECTION_OK) fail(connection);
    char sql[1024];
    snprintf(sql, sizeof sql, "COPY %s TO STDOUT (FORMAT binary)", words[2]);
    PGresult *result = PQexec(connection, sql);
    if (PQresultStatus(result) != PGRES_COPY_OUT) fail(connection);
    PQclear(result);
    long rows = 0, values = 0, bytes = 0;
    int isFirst = 1;
    char *row;
    int size;
    while ((size = PQgetCopyData(connection, &row, 0)) > 0) {
        char *at = row + (isFirst ? 19 : 0);
        isFirst = 0;
        if (at < row + size) {
            uint16_t fields;
            memcpy(&fields, at, 2);
            fields = ntohs(fields);
            at += 2;
            if (fields != 0xffff) {
                rows++;
                for (int field = 0; field < fields; field++) {
                    uint32_t length;
                    memcpy(&length, at, 4);
                    length = ntohl(length);
                    at += 4;
                    if (length == 0xffffffff) continue;
                    values++;
                    bytes += length;
                    at += length;
                }
            }
        }
        PQfreemem(row);
    }
    if (size == -2) fail(connection);
    while ((result = PQgetResult(connection)) != NULL) {
        if (PQresultStatus(result) != PGRES_COMMAND_OK) fail(connection);
        PQclear(result);
    }
    PQfinish(connection);
    printf("%ld rows, %ld values, %ld bytes\n", rows, values, bytes);
    return 0;
}

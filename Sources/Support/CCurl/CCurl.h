#pragma once
#include <curl/curl.h>
#include <sys/socket.h>

/* Swift cannot call variadic functions: one typed shim for each kind of argument. */
typedef size_t (*headrace_curl_bytes)(char *bytes, size_t size, size_t count, void *user);
typedef int (*headrace_curl_seek)(void *user, curl_off_t offset, int origin);
typedef int (*headrace_curl_prereq)(void *user, char *remote, char *local, int remote_port, int local_port);

static inline CURLcode headrace_setopt_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode headrace_setopt_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode headrace_setopt_text(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode headrace_setopt_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode headrace_setopt_bytes(CURL *easy, CURLoption option, headrace_curl_bytes value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode headrace_setopt_seek(CURL *easy, headrace_curl_seek value) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, value);
}
static inline CURLcode headrace_setopt_prereq(CURL *easy, headrace_curl_prereq value) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}
static inline CURLcode headrace_getinfo_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode headrace_getinfo_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLMcode headrace_multi_setopt_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/* Opens libcurl's sockets so that a process started meanwhile does not inherit them, which would keep them open. */
static inline curl_socket_t headrace_open_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)user;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
static inline CURLcode headrace_setopt_private_sockets(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, headrace_open_socket);
}

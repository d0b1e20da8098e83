/* The sockets of aws/http/http.c's connections, opened and closed for curl: no child inherits them, and whether something waits to be
 * read on one can be told before a request goes out, when curl does not yet name it. */
#ifndef AWS_SOCKETS_H
#define AWS_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>

struct sockets {
	int *fds;
	unsigned n, cap;
};

curl_socket_t sockets_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *to); /* CURLOPT_OPENSOCKETFUNCTION */
int sockets_close(void *sockets, curl_socket_t fd);                                        /* CURLOPT_CLOSESOCKETFUNCTION */
bool sockets_readable(const struct sockets *s, const char *from, int port); /* the connection that goes out from there */
void sockets_clear(struct sockets *s);                                      /* frees; all are closed by then */

#endif

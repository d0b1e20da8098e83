#include "aws/http/sockets.h"

#include "core/mem.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

curl_socket_t sockets_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct sockets *s = sockets;
	(void)purpose;
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	if (fd < 0)
		return CURL_SOCKET_BAD;
	MEM_GROW(s->fds, s->n, s->cap);
	s->fds[s->n++] = fd;
	return fd;
}

int sockets_close(void *sockets, curl_socket_t fd)
{
	struct sockets *s = sockets;
	for (unsigned i = 0; i < s->n; i++) {
		if (s->fds[i] != fd)
			continue;
		s->fds[i] = s->fds[--s->n];
		break;
	}
	return close(fd);
}

static bool is_from(int fd, const char *from, int port)
{
	struct sockaddr_storage a = { 0 };
	socklen_t n = sizeof a;
	char text[INET6_ADDRSTRLEN] = "";
	if (getsockname(fd, (struct sockaddr *)&a, &n))
		return false;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&a;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)&a;
	if (a.ss_family == AF_INET && ntohs(v4->sin_port) == port)
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof text);
	else if (a.ss_family == AF_INET6 && ntohs(v6->sin6_port) == port)
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof text);
	return text[0] && strcmp(text, from) == 0;
}

bool sockets_readable(const struct sockets *s, const char *from, int port)
{
	for (unsigned i = 0; i < s->n; i++) {
		struct pollfd p = { .fd = s->fds[i], .events = POLLIN };
		if (is_from(p.fd, from, port))
			return poll(&p, 1, 0) > 0;
	}
	return false;
}

void sockets_clear(struct sockets *s)
{
	free(s->fds);
	*s = (struct sockets){ 0 };
}

// The serving half of TLS, by OpenSSL, over memory: octets go in and come out, sockets stay with the caller. Nothing here opens a
// connection, and no session outlives its connection: no tickets, no cache, no early data, no renegotiation.
#ifndef MOTHLIGHT_COPENSSL_H
#define MOTHLIGHT_COPENSSL_H

#include <stddef.h>
#include <stdint.h>

struct copenssl_server;
struct copenssl_certificate;
struct copenssl_session;

// A P-256 key of its own and the settings; NULL when the library refuses.
struct copenssl_server *copenssl_server_make(void);
void copenssl_server_free(struct copenssl_server *server);

// A certificate for `name`, signed with its own key (RFC 5280); times are seconds since 1970.
struct copenssl_certificate *copenssl_certificate_make(struct copenssl_server *server, const char *name, int is_address,
                                                       int64_t from, int64_t to);
void copenssl_certificate_free(struct copenssl_certificate *certificate);

struct copenssl_session *copenssl_session_make(struct copenssl_server *server, struct copenssl_certificate *certificate);
void copenssl_session_free(struct copenssl_session *session);

// Octets that arrived; 0, or -1 without memory.
int copenssl_session_take(struct copenssl_session *session, const void *octets, size_t count);
// Octets that are to be sent; how many, 0 when there are none.
int copenssl_session_give(struct copenssl_session *session, void *octets, int room);
// 1 done, 0 needs more octets, -1 failed.
int copenssl_session_shake(struct copenssl_session *session);
// Plain octets; 0 needs more octets, -1 the other side is done or has failed.
int copenssl_session_read(struct copenssl_session *session, void *octets, int room);
// Whole or not at all: 0, or -1.
int copenssl_session_write(struct copenssl_session *session, const void *octets, int count);
// Says that nothing follows (close_notify).
void copenssl_session_end(struct copenssl_session *session);

// A fresh P-256 key (PKCS #8) and a certificate for `names` that it signs itself, both as PEM. Sizes are those of the room when
// called and of the text after; times are seconds since 1970. 0, or -1.
int copenssl_identity_make(const char *const *names, const int *are_addresses, int count, int64_t from, int64_t to,
                           char *certificate, size_t *certificate_size, char *key, size_t *key_size);

#endif

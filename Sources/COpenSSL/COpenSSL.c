// See the header.
#include "COpenSSL.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct copenssl_server {
  SSL_CTX *settings;
  EVP_PKEY *key;
};

struct copenssl_certificate {
  X509 *x509;
};

struct copenssl_session {
  SSL *ssl;
  // Owned by ssl.
  BIO *in, *out;
};

static int configure(SSL_CTX *settings) {
  // Bots are old: whatever they speak is taken; there is nothing to keep secret here.
  SSL_CTX_set_security_level(settings, 0);
  if (!SSL_CTX_set_min_proto_version(settings, TLS1_VERSION)) return 0;
  if (!SSL_CTX_set_cipher_list(settings, "ALL:!aNULL:!eNULL:@SECLEVEL=0")) return 0;
  SSL_CTX_set_session_cache_mode(settings, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(settings, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (!SSL_CTX_set_num_tickets(settings, 0)) return 0;
  SSL_CTX_set_max_early_data(settings, 0);
  SSL_CTX_set_mode(settings, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(settings, SSL_VERIFY_NONE, NULL);
  // No chain is looked for in the certificates of this machine.
  SSL_CTX_set_mode(settings, SSL_MODE_NO_AUTO_CHAIN);
  return 1;
}

struct copenssl_server *copenssl_server_make(void) {
  // Without the machine's configuration file, which forbids old versions.
  if (!OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL)) return NULL;
  struct copenssl_server *server = calloc(1, sizeof *server);
  if (!server) return NULL;
  server->settings = SSL_CTX_new(TLS_server_method());
  server->key = EVP_EC_gen("P-256");
  if (!server->settings || !server->key || !configure(server->settings)) {
    copenssl_server_free(server);
    server = NULL;
  }
  ERR_clear_error();
  return server;
}

void copenssl_server_free(struct copenssl_server *server) {
  if (!server) return;
  SSL_CTX_free(server->settings);
  EVP_PKEY_free(server->key);
  free(server);
}

static int add_name(X509 *x509, const char *name, int is_address) {
  X509_NAME *subject = X509_get_subject_name(x509);
  // A common name has 64 characters at most; the alternative name holds it whole.
  char common[65];
  snprintf(common, sizeof common, "%s", name);
  if (!X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)common, -1, -1, 0)) return 0;
  if (!X509_set_issuer_name(x509, subject)) return 0;
  GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
  GENERAL_NAME *one = GENERAL_NAME_new();
  int done = 0;
  if (names && one) {
    if (is_address) {
      ASN1_OCTET_STRING *octets = a2i_IPADDRESS(name);
      if (octets) GENERAL_NAME_set0_value(one, GEN_IPADD, octets);
      done = octets != NULL;
    } else {
      ASN1_IA5STRING *text = ASN1_IA5STRING_new();
      if (text && ASN1_STRING_set(text, name, (int)strlen(name))) {
        GENERAL_NAME_set0_value(one, GEN_DNS, text);
        done = 1;
      } else {
        ASN1_IA5STRING_free(text);
      }
    }
  }
  if (done && sk_GENERAL_NAME_push(names, one)) {
    one = NULL;
    done = X509_add1_ext_i2d(x509, NID_subject_alt_name, names, 0, 0);
  } else {
    done = 0;
  }
  GENERAL_NAME_free(one);
  sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
  return done;
}

static int add_serial(X509 *x509) {
  unsigned char octets[16];
  if (RAND_bytes(octets, sizeof octets) != 1) return 0;
  octets[0] = (octets[0] & 0x7f) | 0x40;
  BIGNUM *number = BN_bin2bn(octets, sizeof octets, NULL);
  int done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
  BN_free(number);
  return done;
}

struct copenssl_certificate *copenssl_certificate_make(struct copenssl_server *server, const char *name, int is_address,
                                                       int64_t from, int64_t to) {
  struct copenssl_certificate *certificate = calloc(1, sizeof *certificate);
  X509 *x509 = X509_new();
  int done = certificate && x509 && X509_set_version(x509, 2) && add_serial(x509) &&
             ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) &&
             ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)to) && add_name(x509, name, is_address) &&
             X509_set_pubkey(x509, server->key) && X509_sign(x509, server->key, EVP_sha256());
  ERR_clear_error();
  if (!done) {
    X509_free(x509);
    free(certificate);
    return NULL;
  }
  certificate->x509 = x509;
  return certificate;
}

void copenssl_certificate_free(struct copenssl_certificate *certificate) {
  if (!certificate) return;
  X509_free(certificate->x509);
  free(certificate);
}

struct copenssl_session *copenssl_session_make(struct copenssl_server *server,
                                               struct copenssl_certificate *certificate) {
  struct copenssl_session *session = calloc(1, sizeof *session);
  if (!session) return NULL;
  session->ssl = SSL_new(server->settings);
  session->in = BIO_new(BIO_s_mem());
  session->out = BIO_new(BIO_s_mem());
  if (!session->ssl || !session->in || !session->out) {
    BIO_free(session->in);
    BIO_free(session->out);
    SSL_free(session->ssl);
    free(session);
    return NULL;
  }
  SSL_set_bio(session->ssl, session->in, session->out);
  if (SSL_use_certificate(session->ssl, certificate->x509) != 1 ||
      SSL_use_PrivateKey(session->ssl, server->key) != 1) {
    copenssl_session_free(session);
    ERR_clear_error();
    return NULL;
  }
  SSL_set_accept_state(session->ssl);
  return session;
}

void copenssl_session_free(struct copenssl_session *session) {
  if (!session) return;
  SSL_free(session->ssl);
  free(session);
}

int copenssl_session_take(struct copenssl_session *session, const void *octets, size_t count) {
  if (count == 0) return 0;
  if (count > INT32_MAX) return -1;
  return BIO_write(session->in, octets, (int)count) == (int)count ? 0 : -1;
}

int copenssl_session_give(struct copenssl_session *session, void *octets, int room) {
  int count = BIO_read(session->out, octets, room);
  return count > 0 ? count : 0;
}

// What an OpenSSL call that did not succeed means: 0 needs more octets, -1 is over.
static int outcome(struct copenssl_session *session, int result) {
  int error = SSL_get_error(session->ssl, result);
  ERR_clear_error();
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

int copenssl_session_shake(struct copenssl_session *session) {
  ERR_clear_error();
  int result = SSL_do_handshake(session->ssl);
  return result == 1 ? 1 : outcome(session, result);
}

int copenssl_session_read(struct copenssl_session *session, void *octets, int room) {
  ERR_clear_error();
  int result = SSL_read(session->ssl, octets, room);
  return result > 0 ? result : outcome(session, result);
}

int copenssl_session_write(struct copenssl_session *session, const void *octets, int count) {
  ERR_clear_error();
  int result = SSL_write(session->ssl, octets, count);
  if (result == count) return 0;
  ERR_clear_error();
  return -1;
}

void copenssl_session_end(struct copenssl_session *session) {
  ERR_clear_error();
  (void)SSL_shutdown(session->ssl);
  ERR_clear_error();
}

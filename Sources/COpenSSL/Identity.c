// A key and a certificate of our own for the station's page; see the header.
#include "COpenSSL.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>

static int add_extension(X509 *x509, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, x509, x509, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  int done = extension && X509_add_ext(x509, extension, -1);
  X509_EXTENSION_free(extension);
  return done;
}

static int add_alternative(GENERAL_NAMES *names, const char *name, int is_address) {
  GENERAL_NAME *one = GENERAL_NAME_new();
  int done = 0;
  if (one && is_address) {
    ASN1_OCTET_STRING *octets = a2i_IPADDRESS(name);
    if (octets) GENERAL_NAME_set0_value(one, GEN_IPADD, octets);
    done = octets != NULL;
  } else if (one) {
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    if (text && ASN1_STRING_set(text, name, (int)strlen(name))) {
      GENERAL_NAME_set0_value(one, GEN_DNS, text);
      done = 1;
    } else {
      ASN1_IA5STRING_free(text);
    }
  }
  if (done && sk_GENERAL_NAME_push(names, one)) return 1;
  GENERAL_NAME_free(one);
  return 0;
}

static int add_alternatives(X509 *x509, const char *const *names, const int *are_addresses, int count) {
  GENERAL_NAMES *list = sk_GENERAL_NAME_new_null();
  int done = list != NULL;
  for (int i = 0; done && i < count; i++) done = add_alternative(list, names[i], are_addresses[i]);
  done = done && X509_add1_ext_i2d(x509, NID_subject_alt_name, list, 0, 0);
  sk_GENERAL_NAME_pop_free(list, GENERAL_NAME_free);
  return done;
}

static int add_random_serial(X509 *x509) {
  unsigned char octets[16];
  if (RAND_bytes(octets, sizeof octets) != 1) return 0;
  octets[0] = (octets[0] & 0x7f) | 0x40;
  BIGNUM *number = BN_bin2bn(octets, sizeof octets, NULL);
  int done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
  BN_free(number);
  return done;
}

static int name_subject(X509 *x509) {
  X509_NAME *subject = X509_get_subject_name(x509);
  return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)"Mothlight station", -1, -1,
                                    0) &&
         X509_set_issuer_name(x509, subject);
}

// Octets of a memory BIO into `room`; their number, 0 when they do not fit.
static size_t drained(BIO *memory, char *room, size_t size) {
  char *octets = NULL;
  long count = BIO_get_mem_data(memory, &octets);
  if (count <= 0 || (size_t)count > size) return 0;
  memcpy(room, octets, (size_t)count);
  return (size_t)count;
}

int copenssl_identity_make(const char *const *names, const int *are_addresses, int count, int64_t from, int64_t to,
                           char *certificate, size_t *certificate_size, char *key, size_t *key_size) {
  EVP_PKEY *pair = EVP_EC_gen("P-256");
  X509 *x509 = X509_new();
  BIO *shown = BIO_new(BIO_s_mem());
  BIO *hidden = BIO_new(BIO_s_secmem());
  int done = pair && x509 && shown && hidden && X509_set_version(x509, 2) && add_random_serial(x509) &&
             ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)from) &&
             ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)to) && name_subject(x509) &&
             X509_set_pubkey(x509, pair) && add_extension(x509, NID_basic_constraints, "critical,CA:FALSE") &&
             add_extension(x509, NID_key_usage, "critical,digitalSignature") &&
             add_extension(x509, NID_ext_key_usage, "serverAuth") &&
             add_alternatives(x509, names, are_addresses, count) && X509_sign(x509, pair, EVP_sha256()) &&
             PEM_write_bio_X509(shown, x509) &&
             PEM_write_bio_PKCS8PrivateKey(hidden, pair, NULL, NULL, 0, NULL, NULL);
  if (done) {
    *certificate_size = drained(shown, certificate, *certificate_size);
    *key_size = drained(hidden, key, *key_size);
    done = *certificate_size > 0 && *key_size > 0;
  }
  ERR_clear_error();
  BIO_free(shown);
  BIO_free(hidden);
  X509_free(x509);
  EVP_PKEY_free(pair);
  return done ? 0 : -1;
}

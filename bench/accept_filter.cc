// accept-filter PORT: a filter by libmilter that hears all of each message and has nothing against it.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <libmilter/mfapi.h>

namespace {

constexpr int kBacklog = 512;  // connections that wait to be taken

sfsistat on_connect(SMFICTX*, char*, _SOCK_ADDR*) { return SMFIS_CONTINUE; }
sfsistat on_words(SMFICTX*, char**) { return SMFIS_CONTINUE; }
sfsistat on_helo(SMFICTX*, char*) { return SMFIS_CONTINUE; }
sfsistat on_header(SMFICTX*, char*, char*) { return SMFIS_CONTINUE; }
sfsistat on_body(SMFICTX*, unsigned char*, std::size_t) { return SMFIS_CONTINUE; }
sfsistat on_stage(SMFICTX*) { return SMFIS_CONTINUE; }

smfiDesc description() {
  smfiDesc out{};
  out.xxfi_name = const_cast<char*>("accept-filter");
  out.xxfi_version = SMFI_VERSION;
  out.xxfi_connect = on_connect;
  out.xxfi_helo = on_helo;
  out.xxfi_envfrom = on_words;
  out.xxfi_envrcpt = on_words;
  out.xxfi_data = on_stage;
  out.xxfi_header = on_header;
  out.xxfi_eoh = on_stage;
  out.xxfi_body = on_body;
  out.xxfi_eom = on_stage;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: accept-filter PORT\n", stderr);
    return 64;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::string where = std::string("inet:") + argv[1] + "@127.0.0.1";
  if (smfi_setconn(where.data()) != MI_SUCCESS || smfi_setbacklog(kBacklog) != MI_SUCCESS ||
      smfi_register(description()) != MI_SUCCESS) {
    return 70;
  }
  return smfi_main() == MI_SUCCESS ? 0 : 69;
}

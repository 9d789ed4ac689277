#include "common/daemon/daemon.h"
#include "smtpd/smtpd.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "smtpd", .start = holdfast::smtpd::Smtpd::start});
}

#include "alertd/service.h"
#include "common/daemon/daemon.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "alertd", .start = holdfast::alertd::Service::start});
}

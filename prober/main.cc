#include "common/daemon/daemon.h"
#include "prober/service.h"

int main(int argc, char** argv) {
  return holdfast::daemon::run(argc, argv, {.name = "prober", .start = holdfast::prober::start});
}

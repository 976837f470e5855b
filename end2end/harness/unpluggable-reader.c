/* A driver that stands between pcscd and the driver of the virtual reader: while the file that UNPLUGGED names is
 * there, the reader is not. pcscd goes on listing a reader that is no USB device, and says that it is unavailable. */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

#include <ifdhandler.h>

static void *real(const char *name)
{
	static void *driver;

	if (driver == NULL)
		driver = dlopen(getenv("REAL_DRIVER"), RTLD_NOW | RTLD_LOCAL);
	return driver == NULL ? NULL : dlsym(driver, name);
}

static int is_unplugged(void)
{
	return access(getenv("UNPLUGGED"), F_OK) == 0;
}

/* Also when it was unplugged meanwhile. */
#define UNLESS_UNPLUGGED(name, parameters, arguments) \
	RESPONSECODE name parameters \
	{ \
		RESPONSECODE (*call) parameters = real(#name); \
		RESPONSECODE outcome; \
		if (call == NULL || is_unplugged()) \
			return IFD_NO_SUCH_DEVICE; \
		outcome = call arguments; \
		return is_unplugged() ? IFD_NO_SUCH_DEVICE : outcome; \
	}

#define ALWAYS(name, parameters, arguments) \
	RESPONSECODE name parameters \
	{ \
		RESPONSECODE (*call) parameters = real(#name); \
		return call == NULL ? IFD_NO_SUCH_DEVICE : call arguments; \
	}

UNLESS_UNPLUGGED(IFDHCreateChannelByName, (DWORD lun, LPSTR device), (lun, device))
UNLESS_UNPLUGGED(IFDHCreateChannel, (DWORD lun, DWORD channel), (lun, channel))
UNLESS_UNPLUGGED(IFDHICCPresence, (DWORD lun), (lun))
UNLESS_UNPLUGGED(IFDHPowerICC, (DWORD lun, DWORD action, PUCHAR atr, PDWORD length), (lun, action, atr, length))
UNLESS_UNPLUGGED(IFDHTransmitToICC,
	(DWORD lun, SCARD_IO_HEADER sent, PUCHAR command, DWORD command_length, PUCHAR answer, PDWORD answer_length,
	 PSCARD_IO_HEADER received),
	(lun, sent, command, command_length, answer, answer_length, received))
ALWAYS(IFDHCloseChannel, (DWORD lun), (lun))
ALWAYS(IFDHGetCapabilities, (DWORD lun, DWORD tag, PDWORD length, PUCHAR value), (lun, tag, length, value))
ALWAYS(IFDHSetCapabilities, (DWORD lun, DWORD tag, DWORD length, PUCHAR value), (lun, tag, length, value))
ALWAYS(IFDHSetProtocolParameters, (DWORD lun, DWORD protocol, UCHAR flags, UCHAR pts1, UCHAR pts2, UCHAR pts3),
	(lun, protocol, flags, pts1, pts2, pts3))
ALWAYS(IFDHControl,
	(DWORD lun, DWORD code, PUCHAR sent, DWORD sent_length, PUCHAR received, DWORD room, LPDWORD received_length),
	(lun, code, sent, sent_length, received, room, received_length))

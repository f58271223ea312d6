#pragma once
#include <libxml/xmlversion.h>
/* Debian's libxml2 is built with ICU, whose headers clash with Foundation's copy of them. Only private fields at the end
   of xmlCharEncodingHandler are hidden by this. */
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/HTMLparser.h>
#include <libxml/HTMLtree.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <libxml/xmlerror.h>

static inline void shim_xmlFree(void *p) { xmlFree(p); }

/* Some errors of encoders go to the thread's generic handler and nowhere else; the return code tells them too. */
static inline void shim_silence(void *context, const char *message, ...) { (void)context; (void)message; }

static inline int shim_xmlParseChunk(xmlParserCtxtPtr parser, const char *bytes, int count, int terminate) {
    xmlGenericErrorFunc handler = xmlGenericError;
    void *context = xmlGenericErrorContext;
    xmlSetGenericErrorFunc(NULL, shim_silence);
    int result = xmlParseChunk(parser, bytes, count, terminate);
    xmlSetGenericErrorFunc(context, handler);
    return result;
}

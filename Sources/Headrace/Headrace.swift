@_exported public import HeadraceColumnar
@_exported public import HeadraceCore
@_exported public import HeadraceRuntime
